select * exclude (traffic)
from attempts
where attempt_id = $attempt_id
