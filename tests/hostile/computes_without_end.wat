;; Has the host compute without end, in calls of the host that are few and long.
;; limits: host-calls=4000000000 memory=4MiB
;; fault: time: it took more than 100ms for one batch
(data (i32.const 20480) "float64 1e308\nfloat64 3e-308\nremainder 0 1\nremainder 0 1\nremainder 0 1\nremainder 0 1\nremainder 0 1\nremainder 0 1")
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn
    (call $evaluate (i32.const 20480) (i32.const 112) (i32.const 1000000) (i32.const 0) (i32.const 0) (i32.const 1200))
    (br $turn)))
