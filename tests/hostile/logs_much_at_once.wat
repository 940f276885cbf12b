;; Logs 60 KiB at once, as often as it can.
;; limits: log=4KiB
;; fault: time: it took more than 100ms for one batch
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn (call $log (i32.const 1) (i32.const 4096) (i32.const 12000)) (br $turn)))
