package main

import (
	"errors"

	"weir"
)

type Sale struct {
	Price float64
}

type Limit struct {
	Limit float64 `default:"100" doc:"From where on it is dear."`
}

func init() {
	weir.Map("price_class", "Dear or cheap.", func(sale Sale, p Limit) (string, error) {
		switch {
		case sale.Price < 0:
			return "", errors.New("a price below zero")
		case sale.Price > p.Limit:
			return "dear", nil
		}
		return "cheap", nil
	})
}

func main() {} // Go wants it; nothing calls it.
