;; Looks at the clock without end.
(module
  (import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $now (result i64)))
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (drop (call $now)) (br 0))
    unreachable)
)
