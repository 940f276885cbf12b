;; Traps while it is made.
;; refused: its catalog can't be read: it trapped
(func $begin unreachable)
(start $begin)
