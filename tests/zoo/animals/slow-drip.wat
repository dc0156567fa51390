;; Computes for a while, waits for an event, computes again: for ever.
(module
  (import "jackfield:call/control@0.1.0" "next-event" (func $next-event (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (local $i i32)
    (loop $for-ever
      (local.set $i (i32.const 200000000))
      (loop $while (br_if $while (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (call $next-event (i32.const 0) (i32.const 0) (i32.const 128))
      (br $for-ever))
    unreachable)
)
