;; What a module compiled for WASI finds in place of a system, in terms of `weir:udf/host`.
;;
;; What is printed is logged, random numbers are the host's, the wall clock stands at the batch's event time and the
;; others only count. There are no files,
;; arguments, environment or network: such calls fail, and say so in the log. Nothing is kept between calls but the page that those lines are written to.
(module
  (import "weir:udf/host@0.1.0" "log" (func $log (param i32 i32 i32)))
  (import "weir:udf/host@0.1.0" "now" (func $host_now (result i64)))
  (import "weir:udf/host@0.1.0" "random" (func $host_random (result i64)))
  (import "env" "memory" (memory 0))
  (global $ticks (mut i64) (i64.const 0))
  (global $now (mut i64) (i64.const 0))
  (global $now_is_set (mut i32) (i32.const 0))
  (global $page (mut i32) (i32.const 0))

  ;; Where a line can be written; 0 where there is no memory for it.
  (func $room (result i32) (local $grown i32)
    (if (i32.eqz (global.get $page)) (then
      (local.set $grown (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $grown) (i32.const -1))
        (then (global.set $page (i32.shl (local.get $grown) (i32.const 16)))))))
    (global.get $page))

  ;; SAY no_files a function has no files
  ;; SAY no_network a function has no network
  ;; SAY exits the function ended the program

  (func $zero2 (param $a i32) (param $b i32) (result i32)
    (i32.store (local.get $a) (i32.const 0)) (i32.store (local.get $b) (i32.const 0)) (i32.const 0))
  (func (export "args_sizes_get") (param i32 i32) (result i32) (call $zero2 (local.get 0) (local.get 1)))
  (func (export "environ_sizes_get") (param i32 i32) (result i32) (call $zero2 (local.get 0) (local.get 1)))
  (func (export "args_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "environ_get") (param i32 i32) (result i32) (i32.const 0))
  (func (export "sched_yield") (result i32) (i32.const 0))
  (func (export "proc_exit") (param i32) (call $exits) (unreachable))
  (func (export "proc_raise") (param i32) (result i32) (call $exits) (unreachable))
  (func (export "adapter_monotonic_clock_set_paused") (param i32))
  (func (export "clock_res_get") (param i32 i32) (result i32) (i64.store (local.get 1) (i64.const 1000)) (i32.const 0))
  ;; The wall clock stands at the batch's event time; the others count how often they are asked. Go's runtime asks for
  ;; the time while the host allocates, when no call may leave: its SDK says at the start of each call what it is.
  (func (export "weir_set_now") (param $us i64)
    (global.set $now (local.get $us))
    (global.set $now_is_set (i32.const 1)))
  (func (export "clock_time_get") (param $clock i32) (param i64) (param $at i32) (result i32)
    (if (i32.eqz (local.get $clock)) (then
      (i64.store (local.get $at) (i64.mul (i64.const 1000)
        (if (result i64) (global.get $now_is_set) (then (global.get $now)) (else (call $host_now)))))
      (return (i32.const 0))))
    (global.set $ticks (i64.add (global.get $ticks) (i64.const 1000)))
    (i64.store (local.get $at) (global.get $ticks)) (i32.const 0))
  (func (export "random_get") (param $p i32) (param $n i32) (result i32) (local $r i64) (local $left i32)
    (block $done (loop $l
      (br_if $done (i32.eqz (local.get $n)))
      (if (i32.eqz (local.get $left)) (then
        (local.set $r (call $host_random))
        (local.set $left (i32.const 8))))
      (i64.store8 (local.get $p) (local.get $r))
      (local.set $r (i64.shr_u (local.get $r) (i64.const 8)))
      (local.set $left (i32.sub (local.get $left) (i32.const 1)))
      (local.set $p (i32.add (local.get $p) (i32.const 1)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $l)))
    (i32.const 0))
  ;; Each piece that is written is a line of the log, without its last line feed.
  (func (export "fd_write") (param $fd i32) (param $iov i32) (param $n i32) (param $out i32) (result i32)
    (local $total i32) (local $p i32) (local $len i32)
    (block $done (loop $l
      (br_if $done (i32.eqz (local.get $n)))
      (local.set $p (i32.load (local.get $iov)))
      (local.set $len (i32.load offset=4 (local.get $iov)))
      (local.set $total (i32.add (local.get $total) (local.get $len)))
      (if (local.get $len) (then
        (if (i32.eq (i32.load8_u (i32.sub (i32.add (local.get $p) (local.get $len)) (i32.const 1))) (i32.const 10))
          (then (local.set $len (i32.sub (local.get $len) (i32.const 1)))))))
      (if (local.get $len) (then
        (call $log
          (select (i32.const 3) (i32.const 1) (i32.eq (local.get $fd) (i32.const 2)))
          (local.get $p) (local.get $len))))
      (local.set $iov (i32.add (local.get $iov) (i32.const 8)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $l)))
    (i32.store (local.get $out) (local.get $total)) (i32.const 0))
  (func (export "fd_pwrite") (param i32 i32 i32 i64 i32) (result i32) (i32.const 70))
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32) (i32.store (local.get 3) (i32.const 0)) (i32.const 0))
  (func (export "fd_pread") (param i32 i32 i32 i64 i32) (result i32) (i32.const 70))
  (func (export "fd_close") (param i32) (result i32) (i32.const 0))
  (func (export "fd_sync") (param i32) (result i32) (i32.const 0))
  (func (export "fd_datasync") (param i32) (result i32) (i32.const 0))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 70))
  (func (export "fd_tell") (param i32 i32) (result i32) (i32.const 70))
  ;; A terminal to write to, so that C libraries write line by line.
  (func (export "fd_fdstat_get") (param $fd i32) (param $p i32) (result i32)
    (if (i32.gt_u (local.get $fd) (i32.const 2)) (then (return (i32.const 8))))
    (i64.store (local.get $p) (i64.const 2))
    (i64.store offset=8 (local.get $p) (i64.const 0x42))
    (i64.store offset=16 (local.get $p) (i64.const 0)) (i32.const 0))
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) (i32.const 0))
  (func (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 0))
  (func (export "fd_filestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_advise") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_renumber") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_get") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_filestat_get") (param i32 i32 i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_create_directory") (param i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_readlink") (param i32 i32 i32 i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_remove_directory") (param i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_rename") (param i32 i32 i32 i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_symlink") (param i32 i32 i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "path_unlink_file") (param i32 i32 i32) (result i32) (call $no_files) (i32.const 76))
  (func (export "sock_accept") (param i32 i32 i32) (result i32) (call $no_network) (i32.const 76))
  (func (export "sock_recv") (param i32 i32 i32 i32 i32 i32) (result i32) (call $no_network) (i32.const 76))
  (func (export "sock_send") (param i32 i32 i32 i32 i32) (result i32) (call $no_network) (i32.const 76))
  (func (export "sock_shutdown") (param i32 i32) (result i32) (call $no_network) (i32.const 76))
  ;; Waiting is over at once, for everything that was waited for. Go waits while the host allocates, so
  ;; this does not call the host either.
  (func (export "poll_oneoff") (param $in i32) (param $ev i32) (param $n i32) (param $out i32) (result i32)
    (i32.store (local.get $out) (local.get $n))
    (block $done (loop $l
      (br_if $done (i32.eqz (local.get $n)))
      (i64.store (local.get $ev) (i64.load (local.get $in)))
      (i64.store offset=8 (local.get $ev) (i64.shl (i64.extend_i32_u (i32.load8_u offset=8 (local.get $in))) (i64.const 16)))
      (i64.store offset=16 (local.get $ev) (i64.const 0))
      (i64.store offset=24 (local.get $ev) (i64.const 0))
      (local.set $in (i32.add (local.get $in) (i32.const 48)))
      (local.set $ev (i32.add (local.get $ev) (i32.const 32)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $l)))
    (i32.const 0)))
