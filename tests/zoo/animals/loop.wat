;; Never comes back from `run`.
(module
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (br 0))
    unreachable)
)
