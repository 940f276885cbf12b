;; Says that its columns go on behind the end of its memory.
;; always: trap: out of bounds
(func $answer (param $rows i32) (param $columns i32) (result i32)
  (memory.fill (i32.const 1024) (i32.const 0) (i32.const 64))
  (i32.store (i32.const 1028) (local.get $rows))
  (i32.store (i32.const 1032) (local.get $columns))
  (i32.store (i32.const 1036) (i32.const 100000000))
  (i32.const 1024))
