package weir

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What is registered last.
func last() *function { return &functions[len(functions)-1] }

// columnsOf makes a batch of rows, as the host would.
func columnsOf[T any](fields []field, rows ...T) batch {
	w := newWriter(fields, len(rows))
	for i := range rows {
		write(w, &rows[i])
	}
	b := w.batch()
	for i := range b.columns {
		if len(b.columns[i].offsets) == 0 {
			b.columns[i].offsets = []uint32{0}
		}
	}
	return b
}

func rowsOf[T any](fields []field, b batch) []T {
	rows := make([]T, b.rows)
	for row := range rows {
		read(fields, b.columns, row, &rows[row])
	}
	return rows
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

type everything struct {
	B    bool
	I    int32
	L    int64
	F    float32
	D    float64
	T    Timestamp
	When time.Time
	S    string
	Y    []byte
	N    *float64
}

func TestValuesComeBackAsTheyWent(t *testing.T) {
	n := 2.5
	rows := []everything{
		{true, -1 << 31, 1<<63 - 1, 0.5, -0.1, 7, time.UnixMicro(-3).UTC(), "né", []byte{255, 0}, &n},
		{When: time.UnixMicro(0).UTC(), Y: []byte{}},
	}
	fields := structFields[everything]("test")
	check(t, "rows", rowsOf[everything](fields, columnsOf(fields, rows...)), rows)
	check(t, "no rows", rowsOf[everything](fields, columnsOf[everything](fields)), []everything{})
}

func TestAStructIsTheSignature(t *testing.T) {
	type in struct {
		UnitPrice float64
		ID        *int64 `weir:"id"`
	}
	type constants struct {
		Limit float64 `default:"100" doc:"From where on."`
		Name  string
	}
	Map("classed", "Words.", func(in in, p constants) (string, error) { return p.Name, nil })
	f := last()
	check(t, "kind", f.kind, mapper)
	check(t, "columns", []string{f.inputs[0].name, f.inputs[1].name, f.outputs[0].name}, []string{"unit_price", "id", "classed"})
	check(t, "nullable", []bool{f.inputs[0].nullable, f.inputs[1].nullable}, []bool{false, true})
	check(t, "default", *f.parameters[0].defaultValue, "100")
	_, _, err := f.mapBatch(batch{columns: make([]column, 2)})
	check(t, "a missing parameter", err.Error(), "parameter `name` is missing")
}

func TestATypeThatIsNoColumnIsRefused(t *testing.T) {
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "complex128 of `c` is no type of a column") {
			t.Errorf("it said %q", said)
		}
	}()
	Map("wrong", "", func(struct{ C complex128 }, None) (int64, error) { return 0, nil })
}

type number struct{ N int64 }

func TestARowThatFailsLeavesTheOthers(t *testing.T) {
	Map("inverse", "", func(in number, _ None) (float64, error) {
		if in.N < 0 {
			return 0, errors.New("below zero")
		}
		return float64(10 / in.N), nil
	})
	f := last()
	b, failed, err := f.mapBatch(columnsOf(f.inputs, number{2}, number{0}, number{-1}, number{5}))
	check(t, "error", err, nil)
	check(t, "rows", rowsOf[float64](f.outputs, b), []float64{5, 0, 0, 2})
	check(t, "failed", failed, []rowError{{1, "panic: runtime error: integer divide by zero"}, {2, "below zero"}})
}

func TestARefusalIsOfTheWholeCall(t *testing.T) {
	Filter("picky", "", func(number, None) (bool, error) { return false, Refuse("not %s", "today") })
	f := last()
	_, _, err := f.filterBatch(columnsOf(f.inputs, number{1}))
	check(t, "error", err.Error(), "not today")
}

func TestRowsThatArePutOutKnowTheirParents(t *testing.T) {
	type text struct{ Text string }
	FlatMap("words", "", func(in text, _ None, emit func(string)) error {
		for _, word := range strings.Fields(in.Text) {
			emit(word)
		}
		return nil
	})
	f := last()
	e, err := f.flatMapBatch(columnsOf(f.inputs, text{"a b"}, text{""}, text{"c"}))
	check(t, "error", err, nil)
	check(t, "rows", rowsOf[string](f.outputs, e.output), []string{"a", "b", "c"})
	check(t, "parents", e.parents, []uint32{0, 0, 2})
}

func TestAStateIsLeftAloneByARowThatFails(t *testing.T) {
	StatefulMap("balance", "", func(held *int64, in number, _ None) (int64, error) {
		*held += in.N
		if *held < 0 {
			return 0, errors.New("overdrawn")
		}
		return *held, nil
	})
	f := last()
	states, err := f.create(2)
	check(t, "error", err, nil)
	states, e, err := f.statefulMapBatch(states, []uint32{0, 0, 1}, columnsOf(f.inputs, number{5}, number{-9}, number{1}))
	check(t, "error", err, nil)
	check(t, "rows", rowsOf[int64](f.outputs, e.output), []int64{5, 1})
	check(t, "states", rowsOf[int64](f.accumulator, states), []int64{5, 1})
	check(t, "failed", e.errors, []rowError{{1, "overdrawn"}})
}

func TestAccumulatorsMeet(t *testing.T) {
	Aggregate("sum", "", Fold[number, None, int64, int64]{
		Accumulate: func(sum *int64, in number, _ None) error { *sum += in.N; return nil },
		Merge:      func(sum *int64, other int64) { *sum += other },
		Finish:     func(sum int64, _ None) int64 { return sum },
	})
	f := last()
	if f.retract != nil {
		t.Error("it can be taken back")
	}
	held, err := f.create(2)
	check(t, "error", err, nil)
	held, _, err = f.accumulate(held, []uint32{1, 1}, columnsOf(f.inputs, number{1}, number{2}))
	check(t, "error", err, nil)
	held, err = f.merge(held, []uint32{0, 0}, held)
	check(t, "error", err, nil)
	done, err := f.finish(held)
	check(t, "error", err, nil)
	check(t, "sums", rowsOf[int64](f.outputs, done), []int64{3, 3})
}
