;; Has the host compute a column that its memory has no room for.
;; limits: memory=1MiB batch-time=5000ms
;; fault: memory: it asked for
(data (i32.const 20480) "int64 1\nout int64 0")
(func $harm (param $rows i32) (param $columns i32)
  (call $evaluate (i32.const 20480) (i32.const 19) (i32.const 200000) (i32.const 0) (i32.const 0) (i32.const 1200)))
