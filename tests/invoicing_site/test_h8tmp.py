import pytest, time, datetime, cProfile, pstats
from decimal import Decimal as D
@pytest.mark.django_db
def test_x(settings,tmp_path):
    settings.DATA=tmp_path
    from tests import factories
    from tests.journeys import steps
    from actuals.models import Entry
    from invoicing_site.querysets import write_rows
    from invoicing_site import verify
    from ledger.models import Voucher, ProfileAssignment
    from backlog.operations.approvals import approve_many
    from django.db import transaction, connection
    c=factories.company(customers=2)
    ProfileAssignment.objects.filter(entity=c.entity, project=None).update(profile=c.books.profiles["ACCRUE"])
    a,b=c.customers
    k=steps.confirmed(factories.contract(c,customers=[(a,60),(b,40)]),c)
    t=time.time()
    e=[Entry(entity=c.entity,transaction_class="time",date=datetime.date(2025,3,1+i%31),project=c.project,task=c.task,resource=c.resource,role=c.role,category=c.time,quantity=D(i%8+1),unit="h",status="submitted") for i in range(2500)]
    with transaction.atomic(): write_rows(Entry,e)
    for r in approve_many(e,by=c.manager,on=steps.MARCH_31): pass
    print("approved",time.time()-t); t=time.time()
    steps.journalled(c); print("journalled",time.time()-t,Voucher.objects.count()); t=time.time()
    ps=steps.drafted(c,k,cutoff=datetime.date(2025,3,12))
    for p in ps: steps.invoiced(c,p)
    print("invoiced",time.time()-t); 
    if connection.vendor=="postgresql":
        with connection.cursor() as cur: cur.execute("ANALYZE")
    from invoicing_site import explain
    from ledger.models import CustomerInvoice
    p=cProfile.Profile(); p.enable(); x=explain.explain_invoice(CustomerInvoice.objects.first()); p.disable()
    print(len(x.parts)); pstats.Stats(p).sort_stats("tottime").print_stats(25)
    pstats.Stats(p).sort_stats("cumtime").print_stats(40)
    from invoicing_site.verify import chain as vc
    p=cProfile.Profile(); p.enable(); list(vc.vouchers(c.entity)); p.disable()
    pstats.Stats(p).sort_stats("tottime").print_stats(25)
    pstats.Stats(p).sort_stats("cumtime").print_stats(25)
