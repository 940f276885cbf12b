;; Calls through an empty place in a table.
;; fault: trap: uninitialized element
(type $plain (func))
(table $empty 1 funcref)
(func $harm (param $rows i32) (param $columns i32) (call_indirect $empty (type $plain) (i32.const 0)))
