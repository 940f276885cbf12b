;; Asks for all memory there is, in one step, and traps when it gets none.
;; fault: memory: bytes in all, and its limit is 67108864 bytes
(func $harm (param $rows i32) (param $columns i32)
  (if (i32.eq (memory.grow (i32.const 60000)) (i32.const -1)) (then unreachable)))
