;; Calls itself without end.
;; fault: stack: its calls nest too deep
(func $deeper (param $n i64) (result i64)
  (i64.add (call $deeper (i64.add (local.get $n) (i64.const 1))) (local.get $n)))
(func $harm (param $rows i32) (param $columns i32) (drop (call $deeper (i64.const 0))))
