;; Says of one row that it has become 4,294,967,295.
;; kind: flat-mapper
;; always: output: the result: 4294967295 rows, and its limit is 1048576
(func $answer (param $rows i32) (param $columns i32) (result i32)
  (memory.fill (i32.const 1024) (i32.const 0) (i32.const 64))
  (i32.store (i32.const 1028) (i32.const -1))
  (i32.store (i32.const 1032) (local.get $columns))
  (i32.store (i32.const 1036) (i32.const 1))
  (i32.const 1024))
