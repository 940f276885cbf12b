// What a customer has spent so far.
package main

import "weir"

type Item struct{ Amount float64 }

func init() {
	weir.StatefulMap("spent", "The sum of a customer's amounts so far.", func(spent *float64, item Item, _ weir.None) (float64, error) {
		*spent += item.Amount
		return *spent, nil
	})
}

func main() {}
