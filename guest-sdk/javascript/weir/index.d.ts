// The types behind index.js: what a column's type is written as says which values its rows have.

type Name = "boolean" | "int32" | "int64" | "integer" | "float32" | "float64" | "timestamp" | "text" | "bytes";
/** A column's type: with `?` it may be null. `integer` is an int64 as a number, exact up to 2^53. */
export type Type = Name | `${Name}?`;

interface Values {
  boolean: boolean;
  int32: number;
  int64: bigint;
  integer: number;
  float32: number;
  float64: number;
  timestamp: bigint;
  text: string;
  bytes: Uint8Array;
}

interface Arrays {
  boolean: boolean[];
  int32: Int32Array;
  int64: BigInt64Array;
  integer: number[];
  float32: Float32Array;
  float64: Float64Array;
  timestamp: BigInt64Array;
  text: string[];
  bytes: Uint8Array[];
}

type Value<T> = T extends `${infer N extends Name}?` ? Values[N] | null : T extends Name ? Values[T] : never;
type Whole<T> = T extends `${infer N extends Name}?` ? (Values[N] | null)[] | Arrays[N] : T extends Name ? Arrays[T] : never;
type WholeOut<T> = T extends Type ? Whole<T> | Value<T>[] : never;

export type Fields = Record<string, Type>;
export type Parameter = Type | { type: Type; default?: boolean | number | bigint | string; doc?: string };
type ParameterType<P> = P extends { type: infer T } ? T : P;

type Row<F> = { -readonly [K in keyof F]: Value<F[K]> };
type Constants<P> = { readonly [K in keyof P]: Value<ParameterType<P[K]>> };
type Result<O> = O extends Type ? Value<O> : Row<O>;
type Columns<F> = { [K in keyof F]: Whole<F[K]> };
type WholeResult<O> = O extends Type ? WholeOut<O> : { [K in keyof O]: WholeOut<O[K]> };
type Groups<F> = { [K in keyof F]: Value<F[K]>[] };

/** A whole column, whose items nobody has touched yet. */
interface Items<V> extends Iterable<V | null> {
  readonly length: number;
  /** The values: numbers without nulls as a typed array, all else as an array. */
  values(): ArrayLike<V | null>;
  at(row: number): V | null;
}
interface Ordered<C, V> extends Items<V> {
  plus(other: C | V): C;
  minus(other: C | V): C;
  times(other: C | V): C;
  /** Bigints as they divide: towards zero, and by 0n an error of the row. */
  dividedBy(other: C | V): C;
  remainder(other: C | V): C;
  negated(): C;
  abs(): C;
  min(other: C | V): C;
  max(other: C | V): C;
  lessThan(other: C | V): BooleanColumn;
  atMost(other: C | V): BooleanColumn;
  moreThan(other: C | V): BooleanColumn;
  atLeast(other: C | V): BooleanColumn;
  equals(other: C | V): BooleanColumn;
  differs(other: C | V): BooleanColumn;
  isNull(): BooleanColumn;
  toNumber(): NumberColumn;
  /** An error of rows whose number is not whole. */
  toBigInt(): BigIntColumn;
}
export interface NumberColumn extends Ordered<NumberColumn, number> {
  floor(): NumberColumn;
  ceil(): NumberColumn;
  trunc(): NumberColumn;
  sqrt(): NumberColumn;
}
export interface BigIntColumn extends Ordered<BigIntColumn, bigint> {}
/** What is null is not known: `and` and `or` say what follows whatever it is. */
export interface BooleanColumn extends Items<boolean> {
  and(other: BooleanColumn | boolean): BooleanColumn;
  or(other: BooleanColumn | boolean): BooleanColumn;
  not(): BooleanColumn;
  equals(other: BooleanColumn | boolean): BooleanColumn;
  differs(other: BooleanColumn | boolean): BooleanColumn;
  isNull(): BooleanColumn;
}
type Computed = NumberColumn | BigIntColumn | BooleanColumn;
type ConstantOf<C> = C extends NumberColumn ? number : C extends BigIntColumn ? bigint : boolean;

interface Bulk {
  boolean: BooleanColumn;
  int32: NumberColumn;
  int64: BigIntColumn;
  integer: NumberColumn;
  float32: NumberColumn;
  float64: NumberColumn;
  timestamp: BigIntColumn;
  text: Items<string>;
  bytes: Items<Uint8Array>;
}
type BulkOf<T> = T extends `${infer N extends Name}?` ? Bulk[N] : T extends Name ? Bulk[T] : never;
type BulkColumns<F> = { [K in keyof F]: BulkOf<F[K]> };
type BulkOut<T> = BulkOf<T> | WholeOut<T>;
type BulkResult<O> = O extends Type ? BulkOut<O> : { [K in keyof O]: BulkOut<O[K]> };

interface Options<I, P> {
  /** For people. */
  doc?: string;
  /** Constants that the pipeline sets. */
  parameters?: P;
  /** The columns that it takes. */
  input: I;
}
interface Giving<I, P, O> extends Options<I, P> {
  /** What it gives: one type, or an object of columns. */
  output: O;
  /** The column's name where `output` is one type; the function's without it. */
  outputName?: string;
}
interface Holding<I, P, O, S> extends Giving<I, P, O> {
  /** What is remembered; a field without a value from `create` starts as null or zero. */
  state: S;
}

/** This row fails with this message; the others stand. */
export class RowError extends Error {}
/** The whole call can't be served, say because of a parameter: the pipeline fails. */
export class Refuse extends Error {}

export function map<const I extends Fields, const O extends Type | Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Giving<I, P, O>, call: (row: Row<I>, parameters: Constants<P>) => Result<O>): void;
export function mapColumns<const I extends Fields, const O extends Type | Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Giving<I, P, O>, call: (columns: Columns<I>, parameters: Constants<P>, rows: number) => WholeResult<O>): void;
export function mapBulk<const I extends Fields, const O extends Type | Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Giving<I, P, O>, call: (columns: BulkColumns<I>, parameters: Constants<P>, rows: number) => BulkResult<O>): void;
export function filterBulk<const I extends Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Options<I, P>, call: (columns: BulkColumns<I>, parameters: Constants<P>, rows: number) => BooleanColumn | boolean[]): void;
export function filter<const I extends Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Options<I, P>, call: (row: Row<I>, parameters: Constants<P>) => boolean): void;
export function flatMap<const I extends Fields, const O extends Type | Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Giving<I, P, O>, call: (row: Row<I>, parameters: Constants<P>) => Iterable<Result<O>>): void;
export function groupMap<const I extends Fields, const O extends Type | Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Giving<I, P, O>, call: (group: Groups<I>, parameters: Constants<P>) => Result<O>): void;
export function groupFlatMap<const I extends Fields, const O extends Type | Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Giving<I, P, O>, call: (group: Groups<I>, parameters: Constants<P>) => Iterable<Result<O>>): void;

export function aggregate<const I extends Fields, const O extends Type | Fields, const S extends Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Holding<I, P, O, S>, methods: {
    create?(): Partial<Row<S>>;
    accumulate(state: Row<S>, row: Row<I>, parameters: Constants<P>): unknown;
    merge(state: Row<S>, other: Row<S>, parameters: Constants<P>): unknown;
    finish(state: Row<S>, parameters: Constants<P>): Result<O>;
    retract?(state: Row<S>, row: Row<I>, parameters: Constants<P>): unknown;
  }): void;
export function statefulMap<const I extends Fields, const O extends Type | Fields, const S extends Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Holding<I, P, O, S>, methods: {
    create?(): Partial<Row<S>>;
    step(state: Row<S>, row: Row<I>, parameters: Constants<P>): Result<O>;
  }): void;
export function statefulFlatMap<const I extends Fields, const O extends Type | Fields, const S extends Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Holding<I, P, O, S>, methods: {
    create?(): Partial<Row<S>>;
    step(state: Row<S>, row: Row<I>, parameters: Constants<P>): Iterable<Result<O>>;
  }): void;
export function statefulFilter<const I extends Fields, const S extends Fields, const P extends Record<string, Parameter> = {}>(
  name: string, options: Options<I, P> & { state: S }, methods: {
    create?(): Partial<Row<S>>;
    step(state: Row<S>, row: Row<I>, parameters: Constants<P>): boolean;
  }): void;

/** `then` where the mask is true, else `other`. What is not chosen fails no row. */
export function where<C extends Computed>(mask: BooleanColumn, then: C | ConstantOf<C> | null, other: C | ConstantOf<C> | null): C;
/** Rows of the mask are row errors with this message. */
export function fail(mask: BooleanColumn | boolean, message: string): void;

/** Lines in the function's log; `console.log` is `log.info`. */
export const log: Record<"debug" | "info" | "warn" | "error", (...parts: unknown[]) => void>;
/** The batch's event time in microseconds since 1970; not a clock. */
export function now(): bigint;
/** A number from 0 to 1 of a sequence that the host seeds from the batch. */
export function random(): number;
