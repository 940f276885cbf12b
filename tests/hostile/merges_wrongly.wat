;; Counts rows, and forgets the others when it is merged: `weir inspect` gives an example.
;; kind: aggregate
;; harmless
(func $fold (param $f i32) (param $count i32) (param $held i32) (param $n i32) (param $groups i32) (param $g i32)
  (param $rows i32) (param $columns i32) (param $m i32) (result i32) (local $at i32)
  (local.set $at (i32.load offset=16 (local.get $held)))
  (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (i64.extend_i32_u (local.get $rows))))
  (call $answer (local.get $count) (local.get $held)))
