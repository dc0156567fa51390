;; Lets a table grow, whatever it is told.
(module
  (memory (export "memory") 1)
  (table $t 1 funcref)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (drop (table.grow $t (ref.null func) (i32.const 1000))) (br 0))
    unreachable)
)
