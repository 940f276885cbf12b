// Package weir lets functions for Weir be written in Go.
//
// A function is registered in an init function with its name, its doc and a Go func. The fields of its
// argument are the columns, those of its second argument the parameters that the pipeline sets. See
// README.md.
package weir

import "fmt"

// None is what a function without parameters takes in their place.
type None struct{}

// Timestamp is a time in microseconds since 1970-01-01T00:00:00Z; time.Time is the same column.
type Timestamp int64

// Refuse makes an error that fails the whole call, and with it the pipeline: say for a parameter.
// Any other error fails its row.
func Refuse(format string, args ...any) error {
	return refusal(fmt.Sprintf(format, args...))
}

type refusal string

func (r refusal) Error() string { return string(r) }

// Map registers a function with one row out for each row in. O is a scalar (a column of the
// function's name) or a struct with a field for each column.
func Map[I, P, O any](name, doc string, call func(I, P) (O, error)) {
	in, out, parameters := structFields[I](name), resultFields[O](name, name), parametersOf[P](name)
	register(function{name: name, kind: mapper, doc: doc, parameters: parameters.list, inputs: in, outputs: out,
		mapBatch: func(b batch) (batch, []rowError, error) {
			p, err := parameters.read()
			if err != nil {
				return batch{}, nil, err
			}
			results, failures := newWriter(out, b.rows), failures{}
			err = failures.each(b.rows, func(row int) error {
				var input I
				read(in, b.columns, row, &input)
				result, err := call(input, p)
				write(results, &result)
				return err
			}, func() {
				var nothing O
				write(results, &nothing)
			})
			return results.batch(), failures.rows, err
		}})
}

// MapColumns registers a function of whole columns: I and O are structs of slices (or O is one slice).
// Numbers come as they are in the batch, without a copy. Columns may not be nullable.
func MapColumns[I, P, O any](name, doc string, call func(I, P) (O, error)) {
	in, out, parameters := sliceFields[I](name, name), sliceFields[O](name, name), parametersOf[P](name)
	register(function{name: name, kind: mapper, doc: doc, parameters: parameters.list, inputs: in, outputs: out,
		mapBatch: func(b batch) (result batch, _ []rowError, err error) {
			p, err := parameters.read()
			if err != nil {
				return batch{}, nil, err
			}
			defer recovered(&err)
			var input I
			readColumns(in, b, &input)
			output, err := call(input, p)
			if err != nil {
				return batch{}, nil, err
			}
			result, err = writeColumns(out, &output, b.rows)
			return result, nil, err
		}})
}

// Filter registers a function that keeps the rows it says true of.
func Filter[I, P any](name, doc string, call func(I, P) (bool, error)) {
	in, parameters := structFields[I](name), parametersOf[P](name)
	register(function{name: name, kind: filter, doc: doc, parameters: parameters.list, inputs: in,
		filterBatch: func(b batch) ([]byte, []rowError, error) {
			p, err := parameters.read()
			if err != nil {
				return nil, nil, err
			}
			kept, failures := make([]byte, (b.rows+7)/8), failures{}
			err = failures.each(b.rows, func(row int) error {
				var input I
				read(in, b.columns, row, &input)
				keep, err := call(input, p)
				if keep && err == nil {
					kept[row/8] |= 1 << (row % 8)
				}
				return err
			}, func() {})
			return kept, failures.rows, err
		}})
}

// FlatMap registers a function with any number of rows out for each row in: each call of emit is one.
func FlatMap[I, P, O any](name, doc string, call func(input I, p P, emit func(O)) error) {
	in, out, parameters := structFields[I](name), resultFields[O](name, name), parametersOf[P](name)
	register(function{name: name, kind: flatMapper, doc: doc, parameters: parameters.list, inputs: in, outputs: out,
		flatMapBatch: func(b batch) (emitted, error) {
			p, err := parameters.read()
			if err != nil {
				return emitted{}, err
			}
			results, failures, parents := newWriter(out, b.rows), failures{}, make([]uint32, 0, b.rows)
			err = failures.each(b.rows, func(row int) error {
				var input I
				read(in, b.columns, row, &input)
				return call(input, p, func(result O) {
					write(results, &result)
					parents = append(parents, uint32(row))
				})
			}, func() {})
			return emitted{output: results.batch(), parents: parents, errors: failures.rows}, err
		}})
}

// Fold is what an aggregate does. S is the accumulator: a scalar, or a struct with a field for each column.
type Fold[I, P, S, O any] struct {
	// Create gives a new accumulator; without it one is the zero of S.
	Create func() S
	// Accumulate takes a row in. Where it fails the accumulator is left as it was.
	Accumulate func(*S, I, P) error
	// Merge takes another accumulator in.
	Merge func(*S, S)
	// Finish gives the result.
	Finish func(S, P) O
	// Retract undoes Accumulate; it may be left out.
	Retract func(*S, I, P) error
}

// Aggregate registers a function that folds rows.
func Aggregate[I, P, S, O any](name, doc string, fold Fold[I, P, S, O]) {
	in, out := structFields[I](name), resultFields[O](name, name)
	held, parameters := resultFields[S](name, "value"), parametersOf[P](name)
	states := func(b batch) []S {
		all := make([]S, b.rows)
		for row := range all {
			read(held, b.columns, row, &all[row])
		}
		return all
	}
	store := func(all []S) batch {
		w := newWriter(held, len(all))
		for i := range all {
			write(w, &all[i])
		}
		return w.batch()
	}
	folding := func(take func(*S, I, P) error) func(batch, []uint32, batch) (batch, []rowError, error) {
		return func(accumulators batch, groups []uint32, b batch) (batch, []rowError, error) {
			p, err := parameters.read()
			if err != nil {
				return batch{}, nil, err
			}
			all, failures := states(accumulators), failures{}
			err = failures.each(b.rows, func(row int) (err error) {
				var input I
				read(in, b.columns, row, &input)
				return kept(&all[groups[row]], func(state *S) error { return take(state, input, p) })
			}, func() {})
			return store(all), failures.rows, err
		}
	}
	f := function{name: name, kind: aggregate, doc: doc, parameters: parameters.list, inputs: in, outputs: out, accumulator: held}
	f.create = func(count int) (batch, error) {
		all := make([]S, count)
		if fold.Create != nil {
			for i := range all {
				all[i] = fold.Create()
			}
		}
		return store(all), nil
	}
	f.accumulate = folding(fold.Accumulate)
	if fold.Retract != nil {
		f.retract = folding(fold.Retract)
	}
	f.merge = func(accumulators batch, groups []uint32, others batch) (result batch, err error) {
		defer recovered(&err)
		all := states(accumulators)
		for i, other := range states(others) {
			fold.Merge(&all[groups[i]], other)
		}
		return store(all), nil
	}
	f.finish = func(accumulators batch) (result batch, err error) {
		p, err := parameters.read()
		if err != nil {
			return batch{}, err
		}
		defer recovered(&err)
		w := newWriter(out, accumulators.rows)
		for _, state := range states(accumulators) {
			result := fold.Finish(state, p)
			write(w, &result)
		}
		return w.batch(), nil
	}
	register(f)
}

// StatefulMap registers a function with one row out for each row in, and a state for each key. Where it
// fails the state is left as it was.
func StatefulMap[I, P, S, O any](name, doc string, step func(*S, I, P) (O, error)) {
	stateful(name, doc, resultFields[O](name, name), func(state *S, input I, p P, emit func(O)) error {
		result, err := step(state, input, p)
		if err == nil {
			emit(result)
		}
		return err
	})
}

// StatefulFlatMap registers the same with any number of rows out.
func StatefulFlatMap[I, P, S, O any](name, doc string, step func(state *S, input I, p P, emit func(O)) error) {
	stateful(name, doc, resultFields[O](name, name), step)
}

// StatefulFilter registers a function that says which rows pass, with a state for each key.
func StatefulFilter[I, P, S any](name, doc string, step func(*S, I, P) (bool, error)) {
	stateful(name, doc, nil, func(state *S, input I, p P, emit func(None)) error {
		passes, err := step(state, input, p)
		if passes && err == nil {
			emit(None{})
		}
		return err
	})
}

func stateful[I, P, S, O any](name, doc string, out []field, step func(*S, I, P, func(O)) error) {
	in, held, parameters := structFields[I](name), resultFields[S](name, "value"), parametersOf[P](name)
	store := func(all []S) batch {
		w := newWriter(held, len(all))
		for i := range all {
			write(w, &all[i])
		}
		return w.batch()
	}
	register(function{name: name, kind: statefulMapper, doc: doc, parameters: parameters.list, inputs: in, outputs: out, accumulator: held,
		create: func(count int) (batch, error) { return store(make([]S, count)), nil },
		statefulMapBatch: func(states batch, groups []uint32, b batch) (batch, emitted, error) {
			p, err := parameters.read()
			if err != nil {
				return batch{}, emitted{}, err
			}
			all := make([]S, states.rows)
			for row := range all {
				read(held, states.columns, row, &all[row])
			}
			results, failures, parents := newWriter(out, b.rows), failures{}, make([]uint32, 0, b.rows)
			err = failures.each(b.rows, func(row int) error {
				var input I
				read(in, b.columns, row, &input)
				return kept(&all[groups[row]], func(state *S) error {
					return step(state, input, p, func(result O) {
						write(results, &result)
						parents = append(parents, uint32(row))
					})
				})
			}, func() {})
			return store(all), emitted{output: results.batch(), parents: parents, errors: failures.rows}, err
		}})
}

// GroupMap registers a function with one row out for each whole group of rows.
func GroupMap[I, P, O any](name, doc string, call func([]I, P) (O, error)) {
	GroupFlatMap(name, doc, func(group []I, p P, emit func(O)) error {
		result, err := call(group, p)
		if err == nil {
			emit(result)
		}
		return err
	})
}

// GroupFlatMap registers the same with any number of rows out.
func GroupFlatMap[I, P, O any](name, doc string, call func(group []I, p P, emit func(O)) error) {
	in, out, parameters := structFields[I](name), resultFields[O](name, name), parametersOf[P](name)
	register(function{name: name, kind: groupMapper, doc: doc, parameters: parameters.list, inputs: in, outputs: out,
		groupMapBatch: func(count int, groups []uint32, b batch) (emitted, error) {
			p, err := parameters.read()
			if err != nil {
				return emitted{}, err
			}
			rows := make([]I, b.rows)
			for row := range rows {
				read(in, b.columns, row, &rows[row])
			}
			results, failures, parents := newWriter(out, count), failures{}, make([]uint32, 0, count)
			start := 0
			err = failures.each(count, func(group int) error {
				end := start
				for end < len(rows) && groups[end] == uint32(group) {
					end++
				}
				mine := rows[start:end]
				start = end
				return call(mine, p, func(result O) {
					write(results, &result)
					parents = append(parents, uint32(group))
				})
			}, func() {})
			return emitted{output: results.batch(), parents: parents, errors: failures.rows}, err
		}})
}
