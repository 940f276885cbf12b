;; Counts without end before it can be asked anything.
;; limits: fuel-per-row=1000 batch-time=60000ms
;; refused: its catalog can't be read: it ran out of fuel
(func $begin (loop $turn (br $turn)))
(start $begin)
