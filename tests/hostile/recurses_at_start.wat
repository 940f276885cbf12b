;; Uses up its stack before it can be asked anything.
;; refused: its catalog can't be read: it ran out of stack
(func $deeper (param $n i64) (result i64)
  (i64.add (call $deeper (i64.add (local.get $n) (i64.const 1))) (local.get $n)))
(func $begin (drop (call $deeper (i64.const 0))))
(start $begin)
