;; Asks for parameters without end.
;; limits: host-calls=1000 batch-time=5000ms
;; fault: host-calls: it called the host more than 1000 times for one batch
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn (call $parameter (i32.const 16384) (i32.const 1) (i32.const 1200)) (br $turn)))
