;; Two functions call each other without end, through a table.
;; limits: stack=1MiB batch-time=5000ms
;; fault: stack: its calls nest too deep
(type $turn (func (param i64) (result i64)))
(table $turns funcref (elem $ping $pong))
(func $ping (param $n i64) (result i64)
  (i64.add (call_indirect $turns (type $turn) (local.get $n) (i32.const 1)) (local.get $n)))
(func $pong (param $n i64) (result i64)
  (i64.mul (call_indirect $turns (type $turn) (local.get $n) (i32.const 0)) (local.get $n)))
(func $harm (param $rows i32) (param $columns i32) (drop (call $ping (i64.const 3))))
