;; Wants a table that no engine here has room for.
;; refused: minimum element size of 200000 which exceeds the limit of 100000
(table $big 200000 funcref)
