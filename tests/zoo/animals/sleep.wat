;; Sleeps, where a story waits for an event.
(module
  (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe-duration" (func $sleep (param i64) (result i32)))
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (drop (call $sleep (i64.const 3600000000000)))
    (i32.const 64))
)
