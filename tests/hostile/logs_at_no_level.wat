;; Logs at a level that there is none of.
;; fault: trap: discriminant
(func $harm (param $rows i32) (param $columns i32) (call $log (i32.const 99) (i32.const 4096) (i32.const 1)))
