-- A user's rows after an instant, the nearest first.
select * exclude (traffic)
from attempts
where
    coalesce(user_id, client) = $user
    and received_at > $instant
order by
    received_at,
    seq
limit $size
