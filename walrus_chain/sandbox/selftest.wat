;; What must be the same on all agents, in one program (selftest.py). Without an argument it counts with floats and
;; integers and takes all the memory that there may be; with one it goes as deep as the stack lets it.
(module
  (import "walrus" "argument_size" (func $argument_size (result i32)))
  (import "walrus" "write" (func $write (param i32 i32)))
  (memory (export "memory") 1)
  (table 2 funcref)
  (elem (i32.const 0) $round $cut)
  (type $unary (func (param f64) (result i64)))
  (func (export "walrus_abi_1"))
  (func $round (param $x f64) (result i64) (i64.reinterpret_f64 (f64.nearest (local.get $x))))
  (func $cut (param $x f64) (result i64) (i64.trunc_sat_f64_s (local.get $x)))
  (func $deep (param $x f64) (param $n i64) (result i64)
    (i64.add
      (call $deep (f64.sqrt (local.get $x)) (i64.add (local.get $n) (i64.const 1)))
      (i64.xor (local.get $n) (i64.reinterpret_f64 (local.get $x)))))
  (func $numbers (local $i i32) (local $n i64) (local $x f64) (local $y f32)
    (local.set $n (i64.const -7046029254386353131))
    (local.set $x (f64.const 0.1))
    (loop $again
      (local.set $x
        (f64.sqrt (f64.add (f64.mul (local.get $x) (f64.const 1.7)) (f64.convert_i32_u (local.get $i)))))
      (local.set $y (f32.div (f32.demote_f64 (local.get $x)) (f32.const 3)))
      (local.set $n
        (i64.add
          (i64.rotl (i64.xor (local.get $n) (i64.reinterpret_f64 (local.get $x))) (i64.popcnt (local.get $n)))
          (i64.extend_i32_s (i32.reinterpret_f32 (local.get $y)))))
      (local.set $n
        (i64.add
          (local.get $n)
          (call_indirect (type $unary)
            (f64.copysign (local.get $x) (f64.convert_i64_s (local.get $n)))
            (i32.and (local.get $i) (i32.const 1)))))
      (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 10000))))
    (i64.store (i32.const 0) (local.get $n))
    (f64.store (i32.const 8) (local.get $x))
    ;; Not numbers, of several origins.
    (f64.store (i32.const 16) (f64.div (f64.const 0) (f64.const -0)))
    (f64.store (i32.const 24) (f64.sqrt (f64.neg (local.get $x))))
    (f32.store (i32.const 32) (f32.min (local.get $y) (f32.const -nan:0x200001)))
    (f32.store (i32.const 36) (f32.demote_f64 (f64.sub (f64.const inf) (f64.const inf)))))
  (func $memory
    ;; All that there may be, and a page more.
    (i32.store (i32.const 40) (memory.grow (i32.const 4095)))
    (i32.store (i32.const 44) (memory.grow (i32.const 1)))
    (i32.store (i32.const 48) (memory.size))
    (memory.fill (i32.const 268369920) (i32.const 165) (i32.const 65536))
    (memory.copy (i32.const 134217728) (i32.const 268435452) (i32.const 4))
    (i32.store (i32.const 52) (i32.load (i32.const 134217728))))
  (func (export "run")
    (if (call $argument_size) (then (drop (call $deep (f64.const 1e300) (i64.const 0)))))
    (call $numbers)
    (call $memory)
    (call $write (i32.const 0) (i32.const 56))))
