;; Never gives an empty accumulator.
;; kind: aggregate
;; always: time: it took more than 100ms for one batch
(func $harm_create (loop $turn (br $turn)))
