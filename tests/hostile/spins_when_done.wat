;; Answers, and then never lets go of the answer.
;; always: time: it took more than 100ms for one batch
(func $done (param i32) (loop $turn (br $turn)))
