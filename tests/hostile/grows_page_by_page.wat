;; Takes one page after another, and writes to each.
;; limits: memory=8MiB
;; fault: memory: and its limit is 8388608 bytes
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn
    (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
    (i32.store (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 8)) (i32.const 1))
    (br $turn)))
