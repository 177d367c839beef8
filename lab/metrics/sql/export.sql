-- Every matching row of a day, in the order of the Attempts page.
select * exclude (traffic)
from attempts
where {conditions}
order by
    received_at desc,
    seq desc
