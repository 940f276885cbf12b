;; Logs without end.
;; fault: host-calls: it called the host more than 1000000 times for one batch
;; limits: batch-time=20000ms
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn (call $log (i32.const 1) (i32.const 4096) (i32.const 10)) (br $turn)))
