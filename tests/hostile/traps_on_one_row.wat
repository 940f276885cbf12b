;; Traps on one row.
;; fault: trap: unreachable
(func $harm (param $rows i32) (param $columns i32) unreachable)
