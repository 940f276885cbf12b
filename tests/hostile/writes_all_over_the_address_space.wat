;; Writes to every 4 KiB of what it can address, until that ends.
;; fault: trap: out of bounds memory access
(func $harm (param $rows i32) (param $columns i32) (local $at i32)
  (loop $turn
    (i32.store (local.get $at) (i32.const -1))
    (local.set $at (i32.add (local.get $at) (i32.const 4096)))
    (br $turn)))
