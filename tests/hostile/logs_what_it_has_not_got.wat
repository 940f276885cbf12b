;; Logs bytes behind the end of its memory.
;; fault: trap: out of bounds
(func $harm (param $rows i32) (param $columns i32)
  (call $log (i32.const 1) (i32.const 4096) (i32.const 1073741824)))
