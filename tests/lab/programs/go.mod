module ferrolb.io/lab/programs

go 1.24
