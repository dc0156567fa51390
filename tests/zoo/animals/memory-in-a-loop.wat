;; Takes a page, and another, whatever it is told.
(module
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (drop (memory.grow (i32.const 1))) (br 0))
    unreachable)
)
