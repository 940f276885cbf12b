;; Offers nothing, not even a catalog.
(component)
