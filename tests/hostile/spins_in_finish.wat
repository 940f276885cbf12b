;; Never gives what an accumulator comes to.
;; kind: aggregate
;; always: time: it took more than 100ms for one batch
(func $harm_finish (loop $turn (br $turn)))
