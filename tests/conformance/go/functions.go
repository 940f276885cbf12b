// The reference functions of the conformance kit, in Go. What they do stands in ../README.md.
package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
	"time"

	"weir"
)

type every struct {
	B *bool
	I *int32
	L *int64
	F *float32
	D *float64
	T *weir.Timestamp
	S *string
	Y *[]byte
}

type pair struct{ A, B []float64 }
type whole struct{ A, B int64 }
type textIn struct{ Text string }
type value struct{ Value float64 }
type amount struct{ Amount int64 }
type row struct{ Row int64 }

type prefix struct {
	Prefix string `doc:"What stands before it."`
}

type settings struct {
	Flag  bool           `default:"true"`
	Small int32          `default:"-7"`
	Large int64          `default:"9007199254740993"`
	Ratio float64        `default:"0.1"`
	Since weir.Timestamp `default:"1360326600000000"`
	Name  string         `default:"né"`
}

type settingsOut struct {
	Flag  bool
	Small int32
	Large int64
	Ratio float64
	Since weir.Timestamp
	Name  string
	Now   weir.Timestamp
}

type threshold struct {
	Threshold float64 `default:"10.5"`
}

type word struct {
	Word     string
	Position int64
}

type meanState struct {
	Sum   float64
	Count int64
}

type longestState struct{ Text *string }

func longer(state *longestState, text string) {
	if state.Text == nil || len(text) > len(*state.Text) {
		state.Text = &text
	}
}

func init() {
	weir.Map("echo", "Every value as it came.", func(in every, _ weir.None) (every, error) { return in, nil })

	weir.MapColumns("product", "a times b.", func(in pair, _ weir.None) (struct{ Product []float64 }, error) {
		product := make([]float64, len(in.A))
		for i, a := range in.A {
			product[i] = a * in.B[i]
		}
		return struct{ Product []float64 }{product}, nil
	})

	// Not of the kit, but to be measured beside the other.
	weir.Map("product_rows", "a times b, row by row.", func(in struct{ A, B float64 }, _ weir.None) (float64, error) {
		return in.A * in.B, nil
	})

	weir.Map("quotient", "a by b, towards zero.", func(in whole, _ weir.None) (int64, error) {
		if in.B == 0 {
			return 0, errors.New("division by zero")
		}
		return in.A / in.B, nil
	})

	weir.Map("describe", "A text with a prefix and its length in bytes.", func(in textIn, p prefix) (string, error) {
		return fmt.Sprintf("%s%s:%d", p.Prefix, in.Text, len(in.Text)), nil
	})

	weir.Map("settings", "The parameters, and the time.", func(_ row, p settings) (settingsOut, error) {
		return settingsOut{p.Flag, p.Small, p.Large, p.Ratio, p.Since, p.Name, weir.Now()}, nil
	})

	weir.Filter("above", "Whether a value is above the threshold.", func(in value, p threshold) (bool, error) {
		if math.IsNaN(in.Value) {
			return false, errors.New("not a number")
		}
		return in.Value > p.Threshold, nil
	})

	weir.FlatMap("words", "What stands between spaces, with its place.", func(in textIn, _ weir.None, emit func(word)) error {
		if in.Text == "!" {
			return errors.New("no words")
		}
		position := int64(0)
		for part := range strings.SplitSeq(in.Text, " ") {
			if part != "" {
				emit(word{part, position})
				position++
			}
		}
		return nil
	})

	weir.Aggregate("mean", "The mean of values that are not negative.", weir.Fold[value, weir.None, meanState, *float64]{
		Accumulate: func(state *meanState, in value, _ weir.None) error {
			if in.Value < 0 {
				return errors.New("negative")
			}
			state.Sum += in.Value
			state.Count++
			return nil
		},
		Retract: func(state *meanState, in value, _ weir.None) error {
			state.Sum -= in.Value
			state.Count--
			return nil
		},
		Merge: func(state *meanState, other meanState) {
			state.Sum += other.Sum
			state.Count += other.Count
		},
		Finish: func(state meanState, _ weir.None) *float64 {
			if state.Count == 0 {
				return nil
			}
			mean := state.Sum / float64(state.Count)
			return &mean
		},
	})

	weir.Aggregate("longest", "The first of the texts with most bytes.", weir.Fold[textIn, weir.None, longestState, *string]{
		Accumulate: func(state *longestState, in textIn, _ weir.None) error {
			longer(state, in.Text)
			return nil
		},
		Merge: func(state *longestState, other longestState) {
			if other.Text != nil {
				longer(state, *other.Text)
			}
		},
		Finish: func(state longestState, _ weir.None) *string { return state.Text },
	})

	weir.StatefulMap("balance", "What is left on an account.", func(state *int64, in amount, _ weir.None) (int64, error) {
		*state += in.Amount
		if *state < 0 {
			return 0, errors.New("overdrawn")
		}
		return *state, nil
	})

	weir.GroupMap("median", "The middle of the sorted values.", func(group []value, _ weir.None) (*float64, error) {
		if len(group) == 0 {
			return nil, nil
		}
		sort.Slice(group, func(i, j int) bool { return group[i].Value < group[j].Value })
		middle := len(group) / 2
		median := group[middle].Value
		if len(group)%2 == 0 {
			median = (group[middle-1].Value + median) / 2
		}
		return &median, nil
	})

	// Not of the kit, but of its tests.jsonl: what comes of asking for what there is not.
	weir.Map("lacks", "What there is not.", func(in struct{ What string }, _ weir.None) (string, error) {
		switch in.What {
		case "time.Now":
			return time.Now().UTC().Format(time.RFC3339), nil
		case "os.Getenv":
			return os.Getenv("HOME"), nil
		}
		_, err := os.ReadFile("/etc/passwd")
		return "", err
	})

	weir.Map("complain", "Prints each text, and refuses the batch.", func(in textIn, _ weir.None) (string, error) {
		fmt.Println("about to fail:", in.Text)
		return "", weir.Refuse("complained")
	})
}

func main() {}
