;; Calls the host without end before it can be asked anything.
;; limits: host-calls=1000 batch-time=5000ms
;; refused: it called the host more than 1000 times
(func $begin (loop $turn (drop (call $random)) (br $turn)))
(start $begin)
