//go:build wasip1

package weir

import (
	"strings"
	"unsafe"
)

// What the host calls and is called with, by the canonical ABI: wit/README.md, "On the wire". Addresses are 32
// bits there and 64 in Go, so records are written word by word.

//go:wasmimport weir:udf/host@0.1.0 log
func hostLog(level uint32, message unsafe.Pointer, length uint32)

//go:wasmimport weir:udf/host@0.1.0 parameter
func hostParameter(name unsafe.Pointer, length uint32, answer unsafe.Pointer)

//go:wasmimport weir:udf/host@0.1.0 now
func hostNow() int64

//go:wasmimport weir:udf/host@0.1.0 random
func hostRandom() uint64

// What the adapter of `weir build` gives for the time of the day.
//
//go:wasmimport wasi_snapshot_preview1 weir_set_now
func setNow(us int64)

func init() { setNow(0) }

// Log writes a line to the function's log.
func Log(level Level, message string) {
	hostLog(uint32(level), unsafe.Pointer(unsafe.StringData(message)), uint32(len(message)))
}

// Parameter is the text form of a parameter.
func Parameter(name string) (string, bool) {
	var answer [3]uint32
	hostParameter(unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(&answer))
	if answer[0]&0xff == 0 {
		return "", false
	}
	return strings.Clone(string(bytesAt(answer[1], answer[2]))), true
}

// Now is the batch's event time; not a clock.
func Now() Timestamp { return Timestamp(hostNow()) }

// Random is the next number of a sequence that the host seeds from the batch.
func Random() uint64 { return hostRandom() }

// What the host has been given or has asked for in this call: nothing else refers to it.
var held []any

func address[T any](values []T) uint32 {
	if len(values) == 0 {
		return 8
	}
	held = append(held, values)
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(values))))
}

// at is memory that cabi_realloc has given out, and which is held. The address is hidden from vet: memory
// does not move here.
func at(address uint32) unsafe.Pointer {
	p := uintptr(address)
	return *(*unsafe.Pointer)(unsafe.Pointer(&p))
}

func bytesAt(address, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(at(address)), length)
}

func wordsAt(address, words uint32) []uint32 {
	if words == 0 {
		return nil
	}
	return unsafe.Slice((*uint32)(at(address)), words)
}

//go:wasmexport cabi_realloc
func cabiRealloc(old, oldSize, align, size uint32) uint32 {
	if size == 0 {
		return align
	}
	// Words, so that numbers are aligned whatever they are.
	fresh := make([]uint64, (size+7)/8)
	held = append(held, fresh)
	p := unsafe.Pointer(unsafe.SliceData(fresh))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(p), size), bytesAt(old, oldSize))
	}
	return uint32(uintptr(p))
}

func batchAt(rows, columns, count uint32) batch {
	b := batch{rows: int(rows), columns: make([]column, count)}
	words := wordsAt(columns, count*6)
	for i := range b.columns {
		w := words[i*6:]
		b.columns[i] = column{bytesAt(w[0], w[1]), wordsAt(w[2], w[3]/4), bytesAt(w[4], w[5])}
		if len(b.columns[i].offsets) == 0 {
			b.columns[i].offsets = []uint32{0}
		}
	}
	return b
}

func stringWords(text string) []uint32 {
	return []uint32{address([]byte(text)), uint32(len(text))}
}

func batchWords(b batch) []uint32 {
	words := make([]uint32, 0, len(b.columns)*6)
	for _, c := range b.columns {
		words = append(words, address(c.validity), uint32(len(c.validity)), address(c.offsets), uint32(len(c.offsets)*4), address(c.values), uint32(len(c.values)))
	}
	return []uint32{uint32(b.rows), address(words), uint32(len(b.columns))}
}

func errorWords(errors []rowError) []uint32 {
	words := make([]uint32, 0, len(errors)*3)
	for _, e := range errors {
		words = append(append(words, e.row), stringWords(e.message)...)
	}
	return []uint32{address(words), uint32(len(errors))}
}

func parentWords(parents []uint32) []uint32 { return []uint32{address(parents), uint32(len(parents) * 4)} }

// answer is the address of a result: a tag, and its words.
func answer(err error, parts ...[]uint32) uint32 {
	words := []uint32{0}
	if err != nil {
		words = append([]uint32{1}, stringWords(err.Error())...)
	} else {
		for _, part := range parts {
			words = append(words, part...)
		}
	}
	// As many as the longest has: the host reads no more than there are.
	return address(append(words, make([]uint32, 12-len(words))...))
}

// find begins a call.
func find(index uint32, k kind) (*function, error) {
	setNow(hostNow())
	if index >= uint32(len(functions)) || functions[index].kind != k {
		return nil, Refuse("the component has no such function of this kind")
	}
	return &functions[index], nil
}

func groupsAt(address, length uint32, rows, count int) ([]uint32, error) {
	groups := wordsAt(address, length/4)
	if len(groups) != rows {
		return nil, Refuse("malformed batch: not as many groups as rows")
	}
	for _, group := range groups {
		if int(group) >= count {
			return nil, Refuse("malformed batch: a row is of a group that there is not")
		}
	}
	return groups, nil
}

func fieldWords(fields []field) []uint32 {
	words := make([]uint32, 0, len(fields)*3)
	for _, f := range fields {
		nullable := uint32(0)
		if f.nullable {
			nullable = 1
		}
		words = append(append(words, stringWords(f.name)...), uint32(f.typ)|nullable<<8)
	}
	return []uint32{address(words), uint32(len(fields))}
}

func parameterWords(parameters []parameter) []uint32 {
	words := make([]uint32, 0, len(parameters)*8)
	for _, p := range parameters {
		words = append(append(words, stringWords(p.name)...), uint32(p.typ))
		if p.defaultValue == nil {
			words = append(words, 0, 0, 0)
		} else {
			words = append(append(words, 1), stringWords(*p.defaultValue)...)
		}
		words = append(words, stringWords(p.doc)...)
	}
	return []uint32{address(words), uint32(len(parameters))}
}

//go:wasmexport weir:udf/catalog@0.1.0#functions
func catalogFunctions() uint32 {
	var words []uint32
	for _, f := range functions {
		words = append(append(words, stringWords(f.name)...), uint32(f.kind))
		words = append(words, stringWords(f.doc)...)
		words = append(words, parameterWords(f.parameters)...)
		words = append(words, fieldWords(f.inputs)...)
		words = append(words, fieldWords(f.outputs)...)
		words = append(words, fieldWords(f.accumulator)...)
		retractable := uint32(0)
		if f.retract != nil {
			retractable = 1
		}
		words = append(words, retractable)
	}
	return address([]uint32{address(words), uint32(len(functions))})
}

//go:wasmexport weir:udf/mapper@0.1.0#map-batch
func mapBatch(index, rows, columns, count uint32) uint32 {
	f, err := find(index, mapper)
	if err != nil {
		return answer(err)
	}
	b := batchAt(rows, columns, count)
	if err := checkColumns(b, f.inputs); err != nil {
		return answer(err)
	}
	output, errors, err := f.mapBatch(b)
	return answer(err, batchWords(output), errorWords(errors))
}

//go:wasmexport weir:udf/filter@0.1.0#filter-batch
func filterBatch(index, rows, columns, count uint32) uint32 {
	f, err := find(index, filter)
	if err != nil {
		return answer(err)
	}
	b := batchAt(rows, columns, count)
	if err := checkColumns(b, f.inputs); err != nil {
		return answer(err)
	}
	kept, errors, err := f.filterBatch(b)
	return answer(err, []uint32{address(kept), uint32(len(kept))}, errorWords(errors))
}

//go:wasmexport weir:udf/flat-mapper@0.1.0#flat-map-batch
func flatMapBatch(index, rows, columns, count uint32) uint32 {
	f, err := find(index, flatMapper)
	if err != nil {
		return answer(err)
	}
	b := batchAt(rows, columns, count)
	if err := checkColumns(b, f.inputs); err != nil {
		return answer(err)
	}
	e, err := f.flatMapBatch(b)
	return answer(err, batchWords(e.output), parentWords(e.parents), errorWords(e.errors))
}

func create(index uint32, k kind, count uint32) uint32 {
	f, err := find(index, k)
	if err != nil {
		return answer(err)
	}
	created, err := f.create(int(count))
	return answer(err, batchWords(created))
}

//go:wasmexport weir:udf/aggregate@0.1.0#create
func aggregateCreate(index, count uint32) uint32 { return create(index, aggregate, count) }

func fold(f *function, take func(batch, []uint32, batch) (batch, []rowError, error), accumulators batch, groups, groupsLength uint32, b batch) uint32 {
	if take == nil {
		return answer(Refuse("`%s` can't be taken back", f.name))
	}
	if err := checkColumns(b, f.inputs); err != nil {
		return answer(err)
	}
	places, err := groupsAt(groups, groupsLength, b.rows, accumulators.rows)
	if err != nil {
		return answer(err)
	}
	folded, errors, err := take(accumulators, places, b)
	return answer(err, batchWords(folded), errorWords(errors))
}

//go:wasmexport weir:udf/aggregate@0.1.0#accumulate
func aggregateAccumulate(index, held, accumulators, heldCount, groups, groupsLength, rows, columns, count uint32) uint32 {
	f, err := find(index, aggregate)
	if err != nil {
		return answer(err)
	}
	return fold(f, f.accumulate, batchAt(held, accumulators, heldCount), groups, groupsLength, batchAt(rows, columns, count))
}

//go:wasmexport weir:udf/aggregate@0.1.0#retract
func aggregateRetract(index, held, accumulators, heldCount, groups, groupsLength, rows, columns, count uint32) uint32 {
	f, err := find(index, aggregate)
	if err != nil {
		return answer(err)
	}
	return fold(f, f.retract, batchAt(held, accumulators, heldCount), groups, groupsLength, batchAt(rows, columns, count))
}

//go:wasmexport weir:udf/aggregate@0.1.0#merge
func aggregateMerge(index, held, accumulators, heldCount, groups, groupsLength, rows, columns, count uint32) uint32 {
	f, err := find(index, aggregate)
	if err != nil {
		return answer(err)
	}
	all, others := batchAt(held, accumulators, heldCount), batchAt(rows, columns, count)
	places, err := groupsAt(groups, groupsLength, others.rows, all.rows)
	if err != nil {
		return answer(err)
	}
	merged, err := f.merge(all, places, others)
	return answer(err, batchWords(merged))
}

//go:wasmexport weir:udf/aggregate@0.1.0#finish
func aggregateFinish(index, held, accumulators, heldCount uint32) uint32 {
	f, err := find(index, aggregate)
	if err != nil {
		return answer(err)
	}
	finished, err := f.finish(batchAt(held, accumulators, heldCount))
	return answer(err, batchWords(finished))
}

//go:wasmexport weir:udf/stateful-mapper@0.1.0#create
func statefulCreate(index, count uint32) uint32 { return create(index, statefulMapper, count) }

//go:wasmexport weir:udf/stateful-mapper@0.1.0#stateful-map-batch
func statefulMapBatch(index, held, states, heldCount, groups, groupsLength, rows, columns, count uint32) uint32 {
	f, err := find(index, statefulMapper)
	if err != nil {
		return answer(err)
	}
	all, b := batchAt(held, states, heldCount), batchAt(rows, columns, count)
	if err := checkColumns(b, f.inputs); err != nil {
		return answer(err)
	}
	places, err := groupsAt(groups, groupsLength, b.rows, all.rows)
	if err != nil {
		return answer(err)
	}
	kept, e, err := f.statefulMapBatch(all, places, b)
	return answer(err, batchWords(kept), batchWords(e.output), parentWords(e.parents), errorWords(e.errors))
}

//go:wasmexport weir:udf/group-mapper@0.1.0#group-map-batch
func groupMapBatch(index, groupCount, groups, groupsLength, rows, columns, count uint32) uint32 {
	f, err := find(index, groupMapper)
	if err != nil {
		return answer(err)
	}
	b := batchAt(rows, columns, count)
	if err := checkColumns(b, f.inputs); err != nil {
		return answer(err)
	}
	places, err := groupsAt(groups, groupsLength, b.rows, int(groupCount))
	if err != nil {
		return answer(err)
	}
	e, err := f.groupMapBatch(int(groupCount), places, b)
	return answer(err, batchWords(e.output), parentWords(e.parents), errorWords(e.errors))
}

// The host has copied the result.
func release() { held = held[:0:0] }

//go:wasmexport cabi_post_weir:udf/catalog@0.1.0#functions
func catalogPost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/mapper@0.1.0#map-batch
func mapPost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/filter@0.1.0#filter-batch
func filterPost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/flat-mapper@0.1.0#flat-map-batch
func flatMapPost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/aggregate@0.1.0#create
func aggregateCreatePost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/aggregate@0.1.0#accumulate
func aggregateAccumulatePost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/aggregate@0.1.0#retract
func aggregateRetractPost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/aggregate@0.1.0#merge
func aggregateMergePost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/aggregate@0.1.0#finish
func aggregateFinishPost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/stateful-mapper@0.1.0#create
func statefulCreatePost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/stateful-mapper@0.1.0#stateful-map-batch
func statefulMapPost(uint32) { release() }

//go:wasmexport cabi_post_weir:udf/group-mapper@0.1.0#group-map-batch
func groupMapPost(uint32) { release() }
