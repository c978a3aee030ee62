#!/bin/bash
# Run on several machines of a Slurm cluster. Never run on one by its authors: tests run it with
# stand-ins for srun and ray. From the project's folder, which all machines must see:
#
#   sbatch deploy/slurm.sh --pipelines=active_learning --params=engine.cluster=ray
#
# What follows the script are arguments of `kedro run`. A job that ended early, or waited for
# people: the same line goes on.
#SBATCH --job-name=pt4al
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# With GPUs: sbatch --gpus-per-node=1 deploy/slurm.sh ...
set -euo pipefail
cd "$SLURM_SUBMIT_DIR"
if [ -f .venv/bin/activate ]; then
    . .venv/bin/activate
fi
if [ "$#" -eq 0 ]; then
    set -- --pipelines=active_learning --params=engine.cluster=ray
fi

# This script runs on the first machine. A port of this job's own: jobs may share a machine.
host=$(hostname -I | cut -d' ' -f1)
port=$((20000 + SLURM_JOB_ID % 10000))
export RAY_ADDRESS="$host:$port" RAY_USAGE_STATS_ENABLED=0
# Without a secret of the job's own, whoever reaches the port could run what he likes.
RAY_AUTH_TOKEN=$(python -c "import secrets; print(secrets.token_hex(32))")
export RAY_AUTH_TOKEN RAY_AUTH_MODE=token
export SRUN_CPUS_PER_TASK="$SLURM_CPUS_PER_TASK"  # srun no longer takes sbatch's
resources=(--num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" --block)

steps=()
trap 'kill "${steps[@]}" 2>/dev/null || true; wait' EXIT
srun --nodes=1 --ntasks=1 --nodelist="$SLURMD_NODENAME" --overlap \
    ray start --head --node-ip-address="$host" --port="$port" --include-dashboard=false \
    "${resources[@]}" &
steps+=("$!")
for _ in $(seq 60); do
    ray health-check --address "$RAY_ADDRESS" >/dev/null 2>&1 && break
    sleep 2
done
others=$((SLURM_JOB_NUM_NODES - 1))
if [ "$others" -gt 0 ]; then
    # Machines that come later are put to work when they are there.
    srun --nodes="$others" --ntasks="$others" --exclude="$SLURMD_NODENAME" --overlap \
        ray start --address="$RAY_ADDRESS" "${resources[@]}" &
    steps+=("$!")
fi
bash deploy/until_people.sh kedro run "$@"
