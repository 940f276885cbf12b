;; Takes all the memory it may have and writes to every byte of it: it gets that, and no more.
;; limits: memory=8MiB
;; harmless
(func $harm (param $rows i32) (param $columns i32)
  (block $full
    (loop $turn
      (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
      (br $turn)))
  (memory.fill (i32.const 1048576) (i32.const 255) (i32.const 7000000)))
