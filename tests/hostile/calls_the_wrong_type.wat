;; Calls a function as one of another type.
;; fault: trap: indirect call type mismatch
(type $plain (func))
(func $other (param i64) (result i64) (local.get 0))
(table $one funcref (elem $other))
(func $harm (param $rows i32) (param $columns i32) (call_indirect $one (type $plain) (i32.const 0)))
