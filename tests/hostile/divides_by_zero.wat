;; Divides by zero.
;; fault: trap: divide by zero
(func $harm (param $rows i32) (param $columns i32)
  (drop (i32.div_u (local.get $rows) (i32.sub (local.get $rows) (local.get $rows)))))
