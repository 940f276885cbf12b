;; Has the host do what it has no fuel for.
;; limits: fuel-per-row=1000 batch-time=5000ms
;; fault: fuel: it took more than 1000 instructions a row
(data (i32.const 20480) "int64 1\nadd 0 0")
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn
    (call $evaluate (i32.const 20480) (i32.const 15) (i32.const 1000) (i32.const 0) (i32.const 0) (i32.const 1200))
    (br $turn)))
