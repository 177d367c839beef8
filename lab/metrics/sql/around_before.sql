-- A user's rows up to and including an instant, the nearest first.
select * exclude (traffic)
from attempts
where
    coalesce(user_id, client) = $user
    and received_at <= $instant
order by
    received_at desc,
    seq desc
limit $size
