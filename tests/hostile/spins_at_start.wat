;; Never gets through its start function.
;; refused: its catalog can't be read: it ran out of time
(func $begin (loop $turn (br $turn)))
(start $begin)
