;; Asks for memory again and again, although it gets none.
;; fault: time: it took more than 100ms for one batch
(func $harm (param $rows i32) (param $columns i32)
  (loop $turn (drop (memory.grow (i32.const 1000))) (br $turn)))
