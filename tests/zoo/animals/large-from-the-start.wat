;; Has more memory than a story may have before it does anything.
(module
  (memory (export "memory") 600)
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
)
